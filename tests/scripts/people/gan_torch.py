"""A GAN in PyTorch's manner: two optimizers, detach(), errD_real and errD_fake by themselves."""

import keras
import torch
import torch.nn.functional as F
import written_down

torch.manual_seed(999)
nz = 3
netG = keras.Sequential([keras.Input((nz,)), keras.layers.Dense(6, "relu"), keras.layers.Dense(2)])
netD = keras.Sequential(
    [keras.Input((2,)), keras.layers.Dense(6), keras.layers.LeakyReLU(0.2), keras.layers.Dense(1)]
)
written_down.began(netD, 1)
written_down.began(netG, 2)
optimizerD = torch.optim.Adam(netD.parameters(), lr=0.01, betas=(0.5, 0.999))
optimizerG = torch.optim.Adam(netG.parameters(), lr=0.01, betas=(0.5, 0.999))
real = torch.randn(12, 2) * 0.3 + 1
for i in range(6):
    # (1) Update D: two backward passes, one step
    netD.zero_grad()
    output = netD(real)
    errD_real = F.binary_cross_entropy_with_logits(output, torch.ones_like(output))
    errD_real.backward()
    fake = netG(torch.randn(12, nz))
    output = netD(fake.detach())
    errD_fake = F.binary_cross_entropy_with_logits(output, torch.zeros_like(output))
    errD_fake.backward()
    optimizerD.step()
    # (2) Update G
    netG.zero_grad()
    output = netD(fake)
    errG = F.binary_cross_entropy_with_logits(output, torch.ones_like(output))
    errG.backward()
    optimizerG.step()
    written_down.cost(errD_real, 1)
    written_down.cost(errD_fake, 1)
    written_down.cost(errG, 2)
    print(f"[{i}/6] Loss_D: {(errD_real + errD_fake).item():.4f} Loss_G: {errG.item():.4f}")
written_down.step_count(12)
written_down.ended(netD, 1)
written_down.ended(netG, 2)
